"""Run by AUTOMATIC1111 and Forge at their start; for ComfyUI-Manager it does nothing."""

NEEDED = ("pathvalidate", "filelock", "safetensors")

try:
    import launch
except ImportError:
    launch = None

if hasattr(launch, "run_pip"):
    for package in NEEDED:
        if not launch.is_installed(package):
            launch.run_pip(f"install {package}", f"{package} for manyshot")
