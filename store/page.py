"""A published question page, saved as plain text or HTML, as the draft of an article.

The page becomes lines (`page_text`, `page_html`), the lines become blocks below the two parts, and
the blocks become Markdown that the parser reads back word for word. Nothing is rephrased and
nothing is filled in: what is not certain is left as it stands and named in a note. The draft is
always `submitted`, whatever review the page claims, and nothing is ever fetched.
"""

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import PurePath
from typing import Literal

from store.article import Part, Status
from store.errors import ArticlesProblem
from store.page_citations import Scheme, cited, scheme_of
from store.page_facts import Fact, page_facts, title_of
from store.page_furniture import ends_content, is_furniture
from store.page_html import html_page
from store.page_references import Entry, ReferenceList, opens_references, read_references
from store.page_text import SUP, SUP_END, Line, Page, part_of, text_page
from store.parse import MAX_HEADING_CHARS, read_statement
from store.sentences import sentence_spans
