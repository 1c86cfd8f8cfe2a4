"""Did the synthetic images help? Paired, step-matched, over many draws, with an interval."""
