"""A kind of server that manyshot does not have: it paints each job in a colour of its seed."""

from manyshot.driver.targets.base import Kind

KIND = Kind(
    name="stub",
    title="stub",
    plural="stubs",
    module=f"{__name__}.stub_target",
    prefix="stub+",
    forms=("stub+http://host:port",),
    example="stub+http://127.0.0.1:1",
)
