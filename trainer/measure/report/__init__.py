"""The report of a measurement, as a page and as text, drawn from results.json alone."""
