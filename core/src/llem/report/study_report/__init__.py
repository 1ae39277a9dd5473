"""The report of a study: content, figures as SVG, and the HTML and Markdown pages."""
