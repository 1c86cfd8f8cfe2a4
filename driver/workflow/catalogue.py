"""What a server can run: its `/object_info` as typed values."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any

from ...core.counted import closest_match
from ...core.errors import InputError

PRIMITIVES = frozenset({"INT", "FLOAT", "STRING", "BOOLEAN"})
COMBO = "COMBO"
MATCH_TYPE = "COMFY_MATCHTYPE_V3"  # of any type; the server checks no link to it or from it
AUTOGROW = "COMFY_AUTOGROW_V3"
DYNAMIC_COMBO = "COMFY_DYNAMICCOMBO_V3"
MAX_SLOTS = 100  # of an autogrow input, as the server itself limits them
UPLOADS = ("image_upload", "video_upload", "audio_upload", "file_upload", "animated_image_upload")


@dataclass(frozen=True)
class InputSpec:
    """One input of a node class; `type` is COMBO for both forms of option lists.

    A dynamic combo has in `choices` the further inputs of each option, an autogrow input in
    `growth` its slots; `dynamic_inputs.expand` puts them in place.
    """

    name: str
    type: str
    required: bool
    options: tuple[Any, ...] | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    choices: "Mapping[str, tuple[InputSpec, ...]] | None" = None
    growth: "Growth | None" = None

    @property
    def default(self) -> Any:
        return self.extra.get("default")

    @property
    def minimum(self) -> float | None:
        return _number(self.extra.get("min"))

    @property
    def maximum(self) -> float | None:
        return _number(self.extra.get("max"))

    @property
    def multiselect(self) -> bool:
        """Whether the value is a list of options."""
        return bool(self.extra.get("multiselect") or self.extra.get("multi_select"))

    @property
    def remote(self) -> bool:
        """Whether the options are fetched by the browser, so that the list here says nothing."""
        return bool(self.extra.get("remote"))

    @property
    def upload(self) -> bool:
        """Whether the value names an uploaded file: the options are today's files only."""
        return any(self.extra.get(key) for key in UPLOADS)


@dataclass(frozen=True)
class Growth:
    """The slots of an autogrow input: their names, how many are needed, and what each takes."""

    names: tuple[str, ...]
    minimum: int
    slot: InputSpec


@dataclass(frozen=True)
class NodeSpec:
    """One node class; `inputs` holds the required ones first, then the optional, in order."""

    class_type: str
    title: str
    inputs: Mapping[str, InputSpec]
    outputs: tuple[str, ...]
    output_lists: tuple[bool, ...]
    output_names: tuple[str, ...]
    is_output: bool


@dataclass(frozen=True)
class Catalogue:
    """The node classes of one server."""

    nodes: Mapping[str, NodeSpec]

    @classmethod
    def from_json(cls, data: Any, where: str = "/object_info") -> "Catalogue":
        """Read the reply of `/object_info`. Raises InputError when it is something else."""
        if not isinstance(data, dict) or not data:
            raise InputError(f"{where} lists no node classes; it is not a ComfyUI object_info.")
        return cls(
            MappingProxyType({name: _node(name, info, where) for name, info in data.items()})
        )

    def get(self, class_type: str) -> NodeSpec | None:
        return self.nodes.get(class_type)

    def nearest(self, class_type: str) -> str | None:
        """The known class whose name or title is most like `class_type`."""
        named = closest_match(class_type, self.nodes)
        if named:
            return named
        titles = {spec.title: spec.class_type for spec in self.nodes.values()}
        titled = closest_match(class_type, titles)
        return titles[titled] if titled else None

    @cached_property
    def recent(self) -> bool:
        """Whether the server is newer than 0.3.75, which has no dynamic combos: the front end of
        its time reads some canvas files differently."""
        inputs = (spec for node in self.nodes.values() for spec in node.inputs.values())
        return any(spec.choices is not None for spec in inputs)

    @cached_property
    def link_types(self) -> frozenset[str]:
        """Types that some node outputs and that no widget holds: such an input needs a link."""
        outputs = {
            member
            for spec in self.nodes.values()
            for kind in spec.outputs
            for member in split_types(kind)
        }
        return frozenset(outputs - PRIMITIVES - {COMBO, MATCH_TYPE, "*"})


def split_types(kind: str) -> set[str]:
    """The members of a union such as `"IMAGE,MASK"`."""
    return {member.strip() for member in kind.split(",")}


def types_fit(output: str, expected: str) -> bool:
    """Whether an output type may go into an input type: a member in common, or any type."""
    members = split_types(output), split_types(expected)
    return bool(members[0] & members[1] or {"*", MATCH_TYPE} & (members[0] | members[1]))


def _node(class_type: str, info: Any, where: str) -> NodeSpec:
    try:
        outputs = tuple(_type_name(kind) for kind in info["output"])
        lists = info.get("output_is_list") or [False] * len(outputs)
        return NodeSpec(
            class_type=class_type,
            title=str(info.get("display_name") or class_type),
            inputs=MappingProxyType({spec.name: spec for spec in _inputs(info["input"], info)}),
            outputs=outputs,
            output_lists=tuple(bool(flag) for flag in lists),
            output_names=tuple(str(name) for name in info.get("output_name") or outputs),
            is_output=bool(info.get("output_node")),
        )
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, RecursionError):
        raise InputError(
            f"{where}: the entry of node class {class_type[:60]!r} is malformed."
        ) from None


def _inputs(sections: Mapping[str, Any], info: Mapping[str, Any]) -> Iterator[InputSpec]:
    """Required inputs, then optional ones, as `input_order` says: widget values lie so."""
    orders = info.get("input_order") or {}
    for section in ("required", "optional"):
        declared = sections.get(section) or {}
        for name in dict.fromkeys([*(orders.get(section) or ()), *declared]):
            if name in declared:
                yield _input(name, declared[name], required=section == "required")


def _input(name: str, declaration: Any, required: bool) -> InputSpec:
    kind = declaration[0]
    extra = declaration[1] if len(declaration) > 1 and isinstance(declaration[1], dict) else {}
    if kind == DYNAMIC_COMBO:
        return _dynamic_combo(name, extra, required)
    if kind == AUTOGROW:
        growth = _growth(extra["template"])
        return InputSpec(name, kind, required, None, MappingProxyType(extra), growth=growth)
    options = kind if isinstance(kind, list) else extra.get("options") if kind == COMBO else None
    listed = tuple(options) if isinstance(options, list) else None
    return InputSpec(name, _type_name(kind), required, listed, MappingProxyType(extra))


def _dynamic_combo(name: str, extra: Mapping[str, Any], required: bool) -> InputSpec:
    choices = {option["key"]: tuple(_inputs(option["inputs"], {})) for option in extra["options"]}
    rest = {key: value for key, value in extra.items() if key not in ("options", "default")}
    return InputSpec(
        name,
        DYNAMIC_COMBO,
        required,
        tuple(choices),
        MappingProxyType(rest),
        choices=MappingProxyType(choices),
    )


def _growth(template: Mapping[str, Any]) -> Growth:
    """Slots named one by one, or by a prefix and a number from 0; all take the first input."""
    slot = next(_inputs(template["input"], {}), None)
    if slot is None:
        raise KeyError("input")
    names = template.get("names")
    if names is None:
        count = min(int(template["max"]), MAX_SLOTS)
        names = [f"{template['prefix']}{number}" for number in range(count)]
    return Growth(tuple(names[:MAX_SLOTS]), int(template.get("min", 1)), slot)


def _type_name(kind: Any) -> str:
    """A type's name: a bare list of options is the older form of COMBO."""
    return COMBO if isinstance(kind, list) else str(kind)


def _number(value: Any) -> float | None:
    return value if isinstance(value, int | float) else None
