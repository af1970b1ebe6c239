"""Every sentence that checks, hints and solutions say, in one place, so that they can be translated."""

SAY = {
    # titles, one per state
    "not attempted": "Not attempted yet: {name}",
    "correct": "Correct: {name}",
    "wrong": "Not yet: {name}",
    "error": "Could not be checked: {name}",
    "hint": "Hint {number} of {count}: {name}",
    "solution": "Solution: {name}",
    # labels of the rows
    "inputs": "inputs",
    "expected": "expected",
    "got": "got",
    "line": "your line {number}",
    "raised": "raised",
    # not attempted
    "no write": "Write the function, then pass it to the check: check({name}).",
    "no repair": "Find the fault in the function and fix it, then pass the function to the check: check({name}).",
    "no design": "Write your design where the dots are, then run the check again.",
    "no order": "Look at the steps with steps(), then write their letters where the dots are.",
    "returned nothing": (
        "The function returns nothing. If you have not started, replace `...` with your code. "
        "If you have, its last line may lack the word return."
    ),
    # correct
    "agrees": "It agrees with the course's own function on {count} cases.",
    "float": (
        "It returns a float, such as {got}. The value is right, but PyTorch refuses a float where it needs a whole "
        "number, such as a size. Where you divide, // instead of / keeps the answer an int."
    ),
    "printed": "It also prints; a check reads only what the function returns.",
    "printed only": "It prints {text}: print shows a value to you, return hands it to the caller.",
    "package's own": (
        "The answers are right, but they come from the package's own function. Write your own: hint() has a first step."
    ),
    # wrong
    "first step": "If you are stuck, hint() has a first step.",
    "later": "For {inputs}: {what}",
    "one path": "Here the function returned nothing. Is there a branch without return?",
    "changed": "The answer is right, but the function changed its input {parameter}. Work on a copy instead.",
    # kinds of answers
    "bool": "Expected a whole number, got a truth value.",
    "want bool": "Expected a truth value, True or False, got {kind}.",
    "nan": "The answer is not a number (NaN). Was something infinite, or zero, divided by zero?",
    "inf": "The answer is infinite. Was something divided by a number that can be zero?",
    "want int": "Expected one whole number (int), got {kind}.",
    "want number": "Expected one number, got {kind}.",
    "inside": "The value is right, but it is in {kind}. Expected one number: use .item() to take it out.",
    "rounded": "This is the expected value rounded to {places} places. Return it as it comes.",
    "one axis": "Expected one whole number, got {kind}. Perhaps you return one number for each axis.",
    "fraction": "Expected a whole number, got one with a fraction.",
    "want sequence": "Expected a {expected} of length {length}, got {kind}.",
    "length": "Expected {expected} values, got {got}.",
    "place": "The first difference is at position {place}.",
    "want dict": "Expected a dict with {length} keys, got {kind}.",
    "no key": "The key {key} is missing.",
    "strange key": "The key {key} does not belong there.",
    "key": "The first difference is at the key {key}.",
    "want array": "Expected {expected}, got {kind}.",
    "only type": "The values are right, but they are in {kind}. Expected {expected}.",
    "pair": (
        "Expected {expected}, got a pair. Along an axis, max, min, sort and others of PyTorch return values and "
        "indices: use .values."
    ),
    "no gradient": (
        "The values are right, but no gradient can flow back to the inputs. Use only PyTorch's operations on tensors: "
        "no .item(), .detach(), numpy or no_grad()."
    ),
    "gradient": (
        "The values are right, but the gradient that flows back to the inputs is not. Perhaps one of the steps is "
        "hidden from autograd by .detach(), .data, .item(), numpy or no_grad()."
    ),
    "gradient raises": "The values are right, but PyTorch cannot compute their gradient. It raises {error}",
    "shape": "Expected the shape {expected}, got {got}.",
    "only shape": "The values are right, but the shape is {got}. Expected {expected}.",
    "truth inside": "Expected numbers, got truth values.",
    "no truth inside": "Expected truth values (dtype bool), got numbers.",
    "nan on one side": "{count} of {all} values {differ}: at {place} one of the two is NaN and the other is not.",
    "nan inside": "The answer holds values that are NaN or infinite.",
    "far": "{count} of {all} values {differ}: the first is at {place}, and the largest difference is {largest}.",
    "generator": "Got a generator, which is what a function with yield makes. Use return.",
    "coroutine": "Got a coroutine: write def instead of async def.",
    "function": "Got a function. Is a pair of parentheses missing after its name?",
    "dots": "Got the dots of the empty exercise for this input.",
    "no compare": "The answer cannot be compared with the expected one: comparing raises {error}.",
    # designs
    "wanted": "wanted",
    "yours": "yours",
    "result": "result",
    "met": "met",
    "not met": "not met",
    "all met": "Your design has every property. Any design that has them all is right.",
    "some missing": "{missing} of {count} properties are missing. If you are stuck, hint() has a first step.",
    "one missing": "One property is missing. If you are stuck, hint() has a first step.",
    "no value": "cannot be computed: {error}",
    "not read": "The check cannot read this design: {got} raised {error}",
    "want list of": "Expected a list of one or more {kind}, got {got}.",
    # orders
    "steps": "Steps to put in order: {name}",
    "how to order": 'Write their letters in the right order, as text such as "{letters}" (which is not the answer).',
    "want letters": 'Expected the letters of the steps as text, such as "{all}", got {got}.',
    "missing": "These steps are missing: {letters}.",
    "twice": "These letters come more than once: {letters}.",
    "other": "These are not letters of steps: {letters}.",
    "in order": "Every step finds what it needs.",
    "too early": "Step {step} comes before step {need}. {why}",
    # error
    "not a function": (
        "Expected the function itself, got {got}. Write the function's name without parentheses after it: "
        "check({name})."
    ),
    "arity": "The check calls {call}, but your function is written as {yours}.",
    "crashed": "Your function stopped with an error.",
    "parentheses": (
        "Perhaps parentheses are missing: Python reads a == b & c == d as a == (b & c) == d. Write "
        "(a == b) & (c == d), with & instead of and."
    ),
    "endless": "Perhaps your function calls itself without end. Which input should it answer directly?",
    "interrupted": "You stopped the check while your function was working. Does every loop in it end?",
    "quit": "Your function asks Python to quit. Use return to leave a function.",
    # hints and solutions
    "no hints": "There is no hint for this one.",
    "last hint": "That was the last hint; solution() shows a right answer.",
    "last hint of all": "That was the last hint.",
    "more hints": "Call hint() again for the next one.",
    "one write": "This is one way to write it.",
    "one repair": "This is one way to fix it.",
    "one design": "This is one right design.",
    "one order": "This is one right order.",
    "solutions off": "Your instructor has switched the solutions off. The hints are still there: call hint().",
}

# what a sentence says after which there is no more to say
RIGHT_BUT = ("The value is right", "The values are right", "The answer is right")

# what an error says where parentheses may be missing
AMBIGUOUS = ("truth value of an array", "Boolean value of Tensor")
