// The search: ranks the sections in SECTIONS (search_index.js), and shows those that hold every word, with a snippet.

const SHOWN = 30;

// The words of a query, in lower case.
const words = (query) => query.toLowerCase().match(/[\p{L}\p{N}_]+/gu) ?? [];

// How well a section answers: a word in its heading or its page's title counts more than one in its text, where the
// tenth time says little more than the third; most of all one that is no part of a longer word of the heading, as
// `refine` is of `refine_one`. 0 where a word is missing.
function score([, title, heading, text], wanted) {
  const [inTitle, inHeading, inText] = [title, heading, text].map((part) => part.toLowerCase());
  const whole = words(heading);
  let total = 0;
  for (const word of wanted) {
    const times = inText.split(word).length - 1;
    const found =
      3 * whole.includes(word) +
      6 * inHeading.includes(word) +
      2 * inTitle.includes(word) +
      Math.log2(1 + times);
    if (!found) return 0;
    total += found;
  }
  return total;
}

// Sections that hold every word, best first; at equal scores in the order of the site.
function rank(sections, query) {
  const wanted = words(query);
  if (!wanted.length) return [];
  const scored = sections.map((section) => [score(section, wanted), section]).filter(([found]) => found);
  return scored.sort(([a], [b]) => b - a).map(([, section]) => section);
}

// The text around the first word that it holds, cut between words.
function snippet(text, wanted) {
  const low = text.toLowerCase();
  const at = Math.min(...wanted.map((word) => low.indexOf(word)).filter((place) => place >= 0));
  const from = at < Infinity && at > 80 ? low.indexOf(" ", at - 80) + 1 : 0;
  const to = from + 220 < text.length ? low.lastIndexOf(" ", from + 220) : text.length;
  return (from ? "… " : "") + text.slice(from, to) + (to < text.length ? " …" : "");
}

// A text as nodes, the words that were looked for in <mark>.
function marked(text, wanted) {
  const pattern = new RegExp(`(${wanted.join("|")})`, "giu");
  return text.split(pattern).map((part, place) => {
    if (place % 2 === 0) return part;
    const mark = document.createElement("mark");
    mark.textContent = part;
    return mark;
  });
}

function show(query) {
  const wanted = words(query);
  const found = rank(globalThis.SECTIONS, query);
  const shown = found.slice(0, SHOWN).map(([address, title, heading, text]) => {
    const item = document.createElement("li");
    const link = document.createElement("a");
    link.href = address;
    link.append(...marked(heading === title ? title : `${title}: ${heading}`, wanted));
    const around = document.createElement("p");
    around.append(...marked(snippet(text, wanted), wanted));
    item.append(link, around);
    return item;
  });
  document.querySelector(".dl-results").replaceChildren(...shown);
  const count = found.length > SHOWN ? `the first ${SHOWN} of ${found.length}` : found.length;
  const say = found.length ? `Sections found: ${count}` : "No section holds all of these words.";
  document.querySelector(".dl-found").textContent = wanted.length ? say : "";
}

if (typeof document !== "undefined") {
  const form = document.querySelector(".dl-search");
  form.q.value = new URLSearchParams(location.search).get("q") ?? "";
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", () => show(form.q.value));
  show(form.q.value);
}
