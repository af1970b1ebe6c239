"""Sphinx's settings for the course's site; `web.site` calls Sphinx with them, and adds the folders."""

import re

project = "DeepLab lessons"
author = "the authors of the course"
project_copyright = "text and figures CC BY 4.0, code MIT"
html_title = project
language = "en"

extensions = ["myst_nb", "sphinx.ext.autodoc", "web.formulas", "web.reference", "web.search"]
nb_execution_mode = "off"
nb_merge_streams = True
myst_enable_extensions = ["amsmath", "dollarmath"]
myst_heading_anchors = 3
html_math_renderer = "katex"
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"

html_theme = "furo"
html_theme_options = {
    "navigation_with_keys": False,
    "light_css_variables": {"font-stack": "system-ui, sans-serif"},
}
pygments_style = "a11y-high-contrast-light"
pygments_dark_style = "a11y-high-contrast-dark"
html_css_files = ["site.css", "widgets.css"]
html_js_files = ["page.js", "widgets.js"]
html_additional_pages = {"search": "search.html"}
html_copy_source = False
html_domain_indices = html_use_index = False
html_show_sphinx = False
templates_path = ["templates"]


def name_no_empty_corner(_app, _page, _template, context, _doctree):
    """The empty corner of a table heads no column: to a screen reader it is a cell."""
    context["body"] = re.sub(r"<th(?: [^>]*)?>(?:\s|</?p>)*</th>", "<td></td>", context.get("body", ""))


def setup(app):
    """Register with Sphinx."""
    app.connect("html-page-context", name_no_empty_corner)
