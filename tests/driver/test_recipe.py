"""Recipes: what is accepted, and the sentence for what is not."""

import os
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from manyshot.core.errors import InputError
from manyshot.driver.address import MORE_SECRETS, ServerAddress, allow_secrets
from manyshot.driver.http import auth_headers
from manyshot.driver.inputs import FileInput
from manyshot.driver.recipe import Recipe, parse_recipe, read_recipe

GOOD = {"workflow": "w.json", "output": "out", "classes": ["cat", "dog"]}


def recipe(**changes) -> Recipe:
    return parse_recipe({**GOOD, **changes}, "r.yaml")


def test_every_kind_of_bound_value_keeps_its_type():
    bound = recipe(
        bind={"A.a": {"file": "x.png"}, "B.b": 3, "C.c": 1.5, "D.d": True, "E.e": "$seed"}
    )
    assert bound.bind == {
        "A.a": FileInput(file=Path("x.png")),
        "B.b": 3,
        "C.c": 1.5,
        "D.d": True,
        "E.e": "$seed",
    }


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"imags_per_class": 3}, "Unknown key 'imags_per_class'. Did you mean 'images_per_class'?"),
        ({"prompts": {"negativ": "x"}}, "Unknown key 'prompts.negativ'. Did you mean 'negative'?"),
        ({"servers": [{"url": "http://a", "inflight": 2}]}, "Did you mean 'in_flight'?"),
        ({"seed": -1}, "'seed': must be greater than or equal to 0."),
        ({"seed": 2**64}, "'seed': must be less than or equal to 18446744073709551615."),
        ({"images_per_class": 0}, "'images_per_class': must be greater than or equal to 1."),
        ({"classes": []}, "No class is given."),
        ({"classes": ["cat", "Cat"]}, "The classes 'cat' and 'Cat' differ only in case"),
        ({"classes": ["../x"]}, "The class name '../x' cannot be used as a file name"),
        ({"classes": ["/etc/passwd"]}, "cannot be used as a file name"),
        ({"classes": ["a\0b"]}, "contains the character"),
        ({"classes": ["x" * 300]}, "cannot be used as a file name"),
        ({"servers": ["nowhere"]}, "'nowhere' is not a server address; write 'embedded', http://"),
        ({"servers": ["ftp://host"]}, "is not a server address"),
        ({"servers": []}, "'servers'"),
        ({"sweep": {"A.b": []}}, "'A.b' has no values."),
        ({"bind": {"A.b": {"file": "a", "folder": "b"}}}, "give either 'file' or 'folder'"),
        ({"transport": "pigeon"}, "'transport': must be 'websocket' or 'view'."),
        ({"timeouts": {"stall": 0}}, "'timeouts.stall': must be greater than 0."),
    ],
)
def test_a_wrong_recipe_gets_a_sentence_with_file_and_key(change, sentence):
    with pytest.raises(InputError) as caught:
        recipe(**change)
    assert str(caught.value).startswith("r.yaml: ")
    assert sentence in str(caught.value)


def test_a_missing_key_is_named():
    with pytest.raises(InputError, match="name a 'workflow', or say under 'webui'"):
        parse_recipe({"output": "x"}, "r.yaml")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a: [", "line 1, column 5"),
        ("a: 1\nb: 2\na: 3", "line 3, column 1: the key 'a' is written twice"),
        ("a: &x 1\nb: *x", "aliases (*name) are not allowed"),
        ("!!python/object/apply:os.system ['true']", "could not determine a constructor"),
        ("a: !!python/name:os.system", "could not determine a constructor"),
        ("- 1\n- 2", "a recipe is a list of 'key: value' lines"),
        ("", "a recipe is a list of 'key: value' lines"),
        ("\0", "is not valid YAML"),
        ("[" * 5000, "is not valid YAML"),
        ("? {a: 1}\n: b", "a key must be plain text"),
    ],
)
def test_broken_or_hostile_yaml_gets_a_sentence(tmp_path, text, sentence):
    path = tmp_path / "r.yaml"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        read_recipe(path)
    assert sentence in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_missing_file_names_its_neighbour(tmp_path):
    (tmp_path / "pets.yaml").write_text("a: 1")
    with pytest.raises(
        InputError, match=r"There is no recipe at .*pet\.yaml\. Did you mean 'pets\.yaml'"
    ):
        read_recipe(tmp_path / "pet.yaml")


def test_a_huge_or_binary_file_is_refused(tmp_path):
    path = tmp_path / "r.yaml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="is not UTF-8, but UTF-16"):
        read_recipe(path)
    path.write_bytes(b"#" * 1_000_001)
    with pytest.raises(InputError, match="larger than"):
        read_recipe(path)


@settings(deadline=None)  # of a machine that does other work
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=20,
    )
)
def test_no_yaml_value_gives_a_traceback(tmp_path_factory, value):
    path = tmp_path_factory.mktemp("r") / "r.yaml"
    path.write_text(yaml.safe_dump(value), encoding="utf-8")
    with pytest.raises(InputError):
        read_recipe(path)


def test_command_line_values_replace_the_recipes(tmp_path):
    path = tmp_path / "r.yaml"
    path.write_text(yaml.safe_dump({**GOOD, "seed": 3}))
    changed = read_recipe(path, servers=["http://a:1"], output=None)
    assert [server.url for server in changed.servers] == ["http://a:1"]
    assert changed.output == Path("out")


SECRETS = {
    "url": "https://host",
    "headers": {"X-Key": "hunter2", "X-Env": "${KEY}"},
    "bearer": "hunter2",
}


@pytest.mark.parametrize(
    "server",
    [
        SECRETS,
        {"url": "https://host", "bearer": "prefix-hunter2-${X}"},
        {"url": "https://host", "basic": "user:hunter2"},
        "https://user:hunter2@host:8188/path",
    ],
)
def test_a_typed_in_secret_is_never_written_or_shown(server):
    made = recipe(servers=[server])
    for text in (made.model_dump_json(), repr(made), str(made), made.servers[0].base_url):
        assert "hunter2" not in text


def test_a_reference_is_written_and_read_when_connecting(monkeypatch):
    server = recipe(servers=[SECRETS]).servers[0]
    assert server.model_dump(mode="json")["headers"] == {"X-Key": "***", "X-Env": "${KEY}"}
    assert server.variables == ("KEY",)
    monkeypatch.setenv("MANYSHOT_KEY", "value")
    assert server.reveal("${MANYSHOT_KEY}") == "value"
    monkeypatch.delenv("MANYSHOT_KEY")
    with pytest.raises(InputError, match="needs the environment variable MANYSHOT_KEY"):
        server.reveal("${MANYSHOT_KEY}")


def test_a_strangers_recipe_reads_no_other_variable(monkeypatch):
    """`bearer: ${AWS_SECRET_ACCESS_KEY}` would be sent to whatever server the recipe names."""
    server = recipe(servers=[SECRETS]).servers[0]
    monkeypatch.setenv("KEY", "value")
    monkeypatch.delenv(MORE_SECRETS, raising=False)
    with pytest.raises(InputError, match="--secret KEY"):
        server.reveal("${KEY}")
    monkeypatch.setenv(MORE_SECRETS, "OTHER")
    allow_secrets(["KEY", "KEY"])
    assert server.reveal("${KEY}") == "value"
    assert os.environ[MORE_SECRETS] == "OTHER,KEY"


@pytest.mark.parametrize("value", ["a\nb", "a\rb", "schlüssel€", "a\0b", "\udc80"])
def test_a_header_that_cannot_be_sent_is_refused(value):
    with pytest.raises(InputError, match="X-Key"):
        auth_headers(ServerAddress(url="https://host", headers={"X-Key": value}))


def test_userinfo_of_an_address_becomes_basic_auth():
    server = recipe(servers=["http://user:pass@host:8188/x"]).servers[0]
    assert (server.url, server.basic) == ("http://host:8188/x", "user:pass")


def test_basic_and_bearer_together_are_refused():
    with pytest.raises(InputError, match="'basic' or 'bearer', not both"):
        recipe(servers=[{"url": "http://a", "basic": "a:b", "bearer": "c"}])


def test_a_secret_with_a_character_that_no_text_holds_is_not_shown():
    with pytest.raises(InputError) as caught:
        recipe(servers=[{"url": "https://host", "bearer": "hunter2\0"}])
    assert "'servers.0.bearer' contains the character" in str(caught.value)
    assert "hunter2" not in str(caught.value)
