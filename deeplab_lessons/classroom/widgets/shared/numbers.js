// Numbers as Python's format writes them, so that a sentence is the same in both languages.

// Halves go to the even neighbour: 0.5 and 2.5 become 0 and 2.
export function roundEven(value) {
  const rounded = Math.round(value);
  return Math.abs(value % 1) === 0.5 && rounded % 2 ? rounded - 1 : rounded;
}

// `digits` decimals, as f"{value:.2f}". A tie has one binary place more than that, as 0.125 has three.
export function fixed(value, digits) {
  if (Number.isNaN(value)) return "nan";
  const tie = Number.isInteger(value * 2 ** (digits + 1)) && !Number.isInteger(value * 2 ** digits);
  const nearest = tie ? roundEven(value * 10 ** digits) / 10 ** digits : value;
  return nearest.toFixed(digits);
}

// At most six digits, as f"{value:g}" writes numbers from 0.0001 to a million.
export function short(value) {
  return String(Number(value.toPrecision(6)));
}
