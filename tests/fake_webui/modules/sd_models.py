class CheckpointInfo:
    def __init__(self, name, sha256):
        self.name_for_extra, self.sha256, self.hash = name, None, "cafe"
        self._sha256 = sha256

    def calculate_shorthash(self):
        self.sha256 = self._sha256
        return self.sha256[:10]


tiny = CheckpointInfo("tiny", "0123456789" + "0" * 54)
other = CheckpointInfo("other", "9876543210" + "0" * 54)
checkpoint_aliases = {
    "tiny.safetensors [0123456789]": tiny,
    "tiny": tiny,
    "other": other,
}
