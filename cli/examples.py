"""An example or two of each command, for its help and docs/commands.md."""

EXAMPLES: dict[str, tuple[str, ...]] = {
    "start": (
        "manyshot start photos --noun food --plan",
        "manyshot start photos --noun food --test test_photos",
        "manyshot start photos --noun food --base sd15.safetensors --comfyui ComfyUI",
    ),
    "demo": ("manyshot demo", "manyshot demo --quick --output tried"),
    "doctor": ("manyshot doctor", "manyshot doctor --server http://127.0.0.1:8188 --json"),
    "plan": (
        "manyshot plan recipe.yaml",
        "manyshot plan webui --show 20",
        "manyshot plan recipe.yaml --server http://127.0.0.1:8188",
    ),
    "run": (
        "manyshot run recipe.yaml",
        "manyshot run demo_classes",
        "manyshot run recipe.yaml --server http://gpu1:8188 --server http://gpu2:8188",
    ),
    "status": ("manyshot status datasets/pets",),
    "verify": ("manyshot verify datasets/pets", "manyshot verify datasets/pets --read-data"),
    "repair": ("manyshot repair datasets/pets",),
    "reject": (
        "manyshot reject datasets/pets datasets/pets/images/beagle/*_0.png",
        "manyshot reject datasets/pets --gone",
    ),
    "curate": ("manyshot curate datasets/pairs --real photos --output datasets/kept --drop 0.2",),
    "export": (
        "manyshot export datasets/pets --to coco --output coco",
        "manyshot export datasets/pets --to yolo --output yolo --val-share 0.1",
    ),
    "measure": ("manyshot measure recipe.yaml", "manyshot measure recipe.yaml --protocol thesis"),
    "shots": (
        "manyshot shots recipe.yaml photos",
        "manyshot shots recipe.yaml photos --each-draw",
    ),
    "report": ("manyshot report runs/pets",),
    "recipe list": ("manyshot recipe list",),
    "recipe show": ("manyshot recipe show webui",),
    "recipe new": (
        "manyshot recipe new run",
        "manyshot recipe new measure my_measurement.yaml",
        "manyshot recipe new webui",
    ),
    "recipe check": ("manyshot recipe check recipe.yaml",),
    "recipe schema": ("manyshot recipe schema measure",),
    "server install": ("manyshot server install",),
    "server start": (
        "manyshot server start",
        "manyshot server start --comfyui ~/ComfyUI --python ~/ComfyUI/venv/bin/python",
    ),
    "server check": ("manyshot server check",),
    "server stop": ("manyshot server stop",),
    "workflow check": (
        "manyshot workflow check workflow.json --server http://127.0.0.1:8188",
        "manyshot workflow check workflow.json --object-info object_info.json",
    ),
    "workflow convert": (
        "manyshot workflow convert canvas.json -o api.json --server http://127.0.0.1:8188",
    ),
    "subject train": (
        "manyshot subject train recipe.yaml",
        "manyshot subject train recipe.yaml --device cuda --bf16",
    ),
    "subject evaluate": (
        "manyshot subject evaluate subjects/rex --real photos",
        "manyshot subject evaluate --dataset datasets/pets --real photos",
    ),
    "webui add-tiny-model": ("manyshot webui add-tiny-model ~/webui",),
}
