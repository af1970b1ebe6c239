"""How nbval compares the notebooks: progress bars and warnings on stderr do not count."""


def pytest_collection_modifyitems(items):
    """Leave stderr out of the comparison."""
    for notebook in {item.parent for item in items if hasattr(item.parent, "skip_compare")}:
        notebook.skip_compare += ("stderr",)
