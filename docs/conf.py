"""Sphinx configuration: Markdown pages, numpydoc docstrings."""

from importlib.util import find_spec

import ttalgebra

project = "ttalgebra"
author = "The ttalgebra developers"
copyright = "2026, the ttalgebra developers"
version = release = ttalgebra.__version__
extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.mathjax",
    "sphinx.ext.viewcode",
]
exclude_patterns = ["_build"]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
autosummary_generate = False
myst_enable_extensions = ["dollarmath", "deflist"]
myst_heading_anchors = 3
html_theme = "pydata_sphinx_theme"
html_title = "ttalgebra"
html_theme_options = {"show_toc_level": 2, "navigation_with_keys": False}
html_show_sourcelink = False
html_sidebars = {"**": []}
autodoc_mock_imports = [  # the pages of a neighbour are built where it is absent, too
    name
    for name in ("dask", "distributed", "jax", "sklearn", "torch", "zarr")
    if find_spec(name) is None
]
autodoc_member_order = "bysource"
autodoc_typehints = "none"
numpydoc_show_class_members = False
default_role = "code"
