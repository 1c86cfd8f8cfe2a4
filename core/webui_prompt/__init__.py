r"""The prompt language of AUTOMATIC1111's WebUI (1.8 to 1.10) and of Forge.

    (x) (x:1.3) [x]      attention times 1.1, 1.3, 1/1.1; nested, they multiply  attention.py
    \( \) \[ \] \\       the sign itself
    a BREAK b            b is encoded by itself, and its vectors follow a's
    [a:b:0.5] [b:8]      a, then b: after half of the steps, after step 8        edits.py
    [a::8] [a|b]         a up to step 8; a and b in turn, step by step
    a AND b :0.7         both noise predictions, the second with weight 0.7      read.py
    a AND NOT b          the same with weight -1
    <lora:name:0.8>      a LoRA of that name                                     networks.py
    # words              a comment, up to the end of the line
    a|b|c                all combinations of a with b and c                      matrix.py

A prompt is read in the WebUI's own order: comments and networks are taken out, AND parts the rest,
each part is edited for a step, and only the text of that step has its attention read. Whatever
the WebUI leaves as it stands (brackets that match nothing) means the same words here; what makes
the WebUI fail is an InputError.

Our own template language (core/wildcards.py) comes before: its braces are filled in first. \( and
\[ pass through it; in its braces | is written \|.

`AND` is Composable Diffusion (Liu et al., ECCV 2022), whose conjunction adds guidance,
e(x) + sum of w_i (e(x | c_i) - e(x)), and whose negation, NOT, is a part with a negative weight.
The WebUI writes a negation `AND b :-1` and takes NOT for a word of the prompt; `write` gives it
that form, so that it means the same there.
"""

from typing import Literal

Language = Literal["comfyui", "webui"]
"""Of prompts: as ComfyUI's CLIP Text Encode reads them, or this one.

Text that people write as a prompt is in such a language. Class names, and what files say of
subjects, are data, and are escaped on their way into a prompt (`from_comfy.escape`).
"""
PLAIN: Language = "comfyui"  # what prompts are in unless something says otherwise
WEBUI: Language = "webui"
