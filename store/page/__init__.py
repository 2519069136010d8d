"""From a published question page, saved as text or HTML, to a draft article."""
