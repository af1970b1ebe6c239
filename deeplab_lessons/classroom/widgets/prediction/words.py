"""The words of a prediction."""

WORDS = {
    "predict": "Predict.",
    "number": "Your prediction",
    "number_of": "Your prediction, in {unit}",
    "up": "up",
    "down": "down",
    "move_up": "Move up: {item}",
    "move_down": "Move down: {item}",
    "moved": "{item} is now number {place} of {count}.",
    "commit": "Commit",
    "committed": "Committed",
    "no_number": "Type one number, such as 12 or 1.5.",
    "two_readings": "A comma before three digits can be read in two ways. Type the number without it.",
    "none_chosen": "Choose one of the answers first.",
    "right": "✓ Right.",
    "wrong": "✗ Not this time.",
    "yours": "Your prediction: {answer}.",
    "computed": "Computed answer: {answer}.",
}
