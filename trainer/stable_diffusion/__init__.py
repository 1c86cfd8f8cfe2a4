"""Networks, tensor names and sampling of Stable Diffusion 1 and of manyshot-tiny."""
