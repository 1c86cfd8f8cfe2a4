"""manyshot inside AUTOMATIC1111's WebUI (1.6 to 1.10) and Forge: classes in, a dataset folder out.

`scripts/manyshot.py` binds the repository's folder and takes the script from here. The files that
take `modules.*` know the WebUI; what differs between its versions is in host.py. Nothing here takes
pydantic, of which AUTOMATIC1111 has version 1, nor a Python newer than its 3.10.
"""
