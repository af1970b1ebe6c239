// What the theme leaves out for those who read by keyboard or by ear.

// What is wider than its box scrolls by keyboard too.
function reachable() {
  for (const box of document.querySelectorAll(
    "pre, .dl-formula, .table-wrapper, .output.text_html, .output [style*=overflow], .dl-page",
  )) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
}

// A printer neither scrolls nor waits: the figures far from the reader are loaded once the page is there.
addEventListener("load", () => {
  for (const figure of document.images) figure.loading = "eager";
});

addEventListener("DOMContentLoaded", () => {
  const names = { "sidebar-drawer": "Pages", "toc-drawer": "On this page" };
  for (const [place, name] of Object.entries(names)) {
    for (const box of document.querySelectorAll(`aside.${place}`)) box.setAttribute("aria-label", name);
  }
  for (const caption of document.querySelectorAll(".caption[role=heading]")) {
    caption.setAttribute("aria-level", "2");
  }
  // A table's empty corner names nothing.
  for (const corner of document.querySelectorAll("article th")) {
    if (!corner.textContent.trim()) corner.replaceWith(document.createElement("td"));
  }
  reachable();
  addEventListener("resize", reachable);
  addEventListener("toggle", reachable, true); // a solution that is unfolded
});
