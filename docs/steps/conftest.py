"""The steps are programs: tests/docs/test_steps.py runs them. pytest must not import them to look for doctests."""

collect_ignore_glob = ["en/*.py", "ja/*.py", "figures.py"]
