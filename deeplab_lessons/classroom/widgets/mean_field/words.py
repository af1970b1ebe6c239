"""The words of the kernel explorer."""

WORDS = {
    "title": "Whom does a pixel listen to?",
    "sigma_alpha": "σα (pixels)",
    "sigma_beta": "σβ (grey levels)",
    "sigma_gamma": "σγ (pixels)",
    "slider_label": "{number}, slider",
    "picture_title": "Image",
    "picture_note": "the pixel in orange",
    "appearance_title": "Appearance",
    "appearance_note": "near and of similar colour",
    "smoothness_title": "Smoothness",
    "smoothness_note": "near, whatever its colour",
    "fact_pixel": "Pixel (row, column)",
    "fact_network": "The network says",
    "fact_appearance": "Appearance listens to",
    "fact_appearance_votes": "They say",
    "fact_smoothness": "Smoothness listens to",
    "fact_smoothness_votes": "They say",
    "about_pixel": "Row and column, counted from 0",
    "about_network": "Probability of the class at this pixel",
    "about_appearance": "Sum of the appearance kernel over all other pixels",
    "about_appearance_votes": "Mean probability of the class among them, weighted by the kernel",
    "about_smoothness": "Sum of the smoothness kernel over all other pixels",
    "about_smoothness_votes": "Mean probability of the class among them, weighted by the kernel",
    "count": "{count} pixels",
    "share": "{share} % {name}",
    "nobody": "–",
    "hint": "The orange pixel listens most to the pixels in the deepest blue (kernel from 0 to 1). Move over the "
    "image to look, click to choose. With the keyboard: Tab to the image, then arrow keys (Shift: 10 steps, Home "
    "and End: first and last of the row).",
    "describe_picture": "Image of {height} by {width} pixels. Pixel row {row}, column {column} is chosen, its colour "
    "is red {red}, green {green}, blue {blue}.",
    "describe_kernel": "{kernel}: the pixel listens to the others as much as to {count} pixels, at most {reach} pixels "
    "away where the kernel is above 0.1.",
    "announced": "Row {row}, column {column}. Appearance listens to {appearance}, smoothness to {smoothness}.",
}
