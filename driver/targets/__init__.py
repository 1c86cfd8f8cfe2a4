"""The kinds of servers that draw the jobs of a plan: a folder each."""
