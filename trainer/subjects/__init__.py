"""Subject tokens: a few photos become a word of a prompt (Textual Inversion, LoRA, DreamBooth)."""
