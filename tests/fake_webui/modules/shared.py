from types import SimpleNamespace


class State:
    def __init__(self):
        self.skipped = self.interrupted = self.stopping_generation = False
        self.job, self.job_no, self.job_count, self.textinfo = "", 0, -1, None

    def nextjob(self):
        self.job_no += 1


class Options:
    """AttributeError for what a version does not have."""

    sd_model_checkpoint = "tiny.safetensors [0123456789]"
    CLIP_stop_at_last_layers = 1
    eta_noise_seed_delta = 0
    return_grid = True


state, opts = State(), Options()
sd_model = SimpleNamespace(network_layer_mapping={})
cmd_opts = SimpleNamespace(api=True, nowebui=False, api_auth=None, embeddings_dir="embeddings")
