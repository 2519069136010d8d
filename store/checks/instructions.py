"""Text that reads as if written to a language model.

The tables say what orders look like, in plain English: `plainer` is applied to them as to the
text. A word that begins an order is looked for first, and what follows it only where it stands.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import accumulate

from store.checks.plainer import as_written, ascii_words, plainer
from store.checks.problem import Piece, Problem, cut

_GAP = r"(?:[^\w.!?;:]){1,4}"


def _source(source: str) -> str:
    plain = "".join(c if c in "\\$~" else plainer(c) for c in source)
    return plain.replace("~", r"(?:\w+ ){0,3}").replace(" ", _GAP)


@lru_cache(maxsize=500)
def _pattern(source: str) -> re.Pattern[str]:
    """A pattern over plainer text: a space is any gap, `~` up to three words."""
    return re.compile(_source(source), re.MULTILINE)


_MODEL = "(?:ai|llm|gpt|chatgpt|claude|gemini|chatbot|language model|ai model|ai assistant)"
_BEFORE = "(?:previous|prior|preceding|above|earlier|foregoing|former|existing|original|initial)"
_ORDERS = "(?:instructions?|prompts?|directions?|directives?|commands?|orders?|rules?|messages?)"
_SPEECH = "(?:reply|replies|answers?|responses?|output|messages?)"
_TO_IGNORE = "ignore ignoring disregard disregarding forget override bypass neglect"

# fmt: off
_ANYWHERE: tuple[tuple[str, str], ...] = (
    # (one of these words, what follows it): no sentence of medical prose goes on like that.
    (_TO_IGNORE, rf" ~{_BEFORE} ~{_ORDERS}\b"),
    (_TO_IGNORE, r" ~(?:all|any|your|these|those|my|its) ~(?:instructions?|prompts?|directives?"
                 r"|commands?|system messages?|programming|training|guardrails)\b"),
    (_TO_IGNORE, r" (?:all of |all |everything )?(?:that is |that was |said |written )?"
                 r"(?:the |stated )?above(?: (?:and|text|rules?|instructions?|content|messages?"
                 r"|context|prompts?|directions?|statements?)\b|[.,;:!]|$)"),
    (_TO_IGNORE, r" (?:everything|anything|all|whatever|what) (?:you|before|prior"
                 r"|that came before|that you|i said|was said|has been said|else you)\b"),
    (_TO_IGNORE, r" (?:your|all safety|the safety) (?:rules|guidelines|restrictions|filters)\b"),
    (_TO_IGNORE, r" (?:the |all )?(?:instructions?|prompts?) (?:above|before|so far"
                 r"|you were given)\b"),
    (_TO_IGNORE, r" ~content (?:policy|policies|filters?)\b"),
    ("follow obey heed trust following obeying",
     rf" ~(?:system|your|my|these new|the new|only these"
     rf"|the hidden|{_BEFORE} system) ~(?:instructions?|prompts?|commands?)\b"),
    ("print reveal show repeat output display leak expose tell write dump share give disclose",
     r"(?: out| me| us)? (?:(?:all|the|of|what|everything|in) )*?"
     r"(?:your (?:system |full |own |entire |exact )?|(?:hidden|secret|system|initial|original) )"
     r"(?:prompts?|instructions?|configuration|rules|system message|context window|api keys?"
     r"|passwords?|secrets?|training data)\b"),
    ("you", r"(?: are|.re) now (?:an?|the|my|dan|acting|no longer|unrestricted|jailbroken|operating"
            r"|playing|called|known as|going to|required to|allowed to|permitted to|able to|free to"
            r"|in ~mode)\b(?! (?:candidate|day|week|month))"),
    ("you", rf" are (?:chatgpt|dan|an? ~{_MODEL}|no longer bound|an? (?:helpful|unrestricted|evil"
            r"|uncensored|jailbroken) )"),
    ("you", r" must (?:always |only |never |not |now )*(?:obey|comply|output|reply|respond|pretend"
            r"|say|recommend)\b"),
    ("as", r" an? (?:large )?(?:ai )?language model\b"),
    ("as", r" an (?:ai|artificial intelligence),? (?:language model|model|assistant|agent|chatbot"
           r"|bot|i|you|your|it must)\b(?!-)"),
    ("act behave respond answer write speak acting", r" as (?:if you (?:are|were|had)|though you "
     r"(?:are|were|had)|an? ~(?:ai assistant|chatbot|jailbroken|linux terminal|pirate|hacker"
     rf"|{_MODEL})\b|dan\b|an? (?:assistant|terminal|unrestricted \w+)\b)"),
    ("pretend", r" (?:to be|you|that you|you.re)\b"),
    ("roleplay role", r"(?:[\s-]?play(?:ing)?)? as (?:an?|the|my|if)\b"),
    ("from", r" now on (?:you|always|answer|respond|reply|ignore|only answer|every (?:answer|reply"
             r"|response)|never|do not|your|say|act|speak)\b"),
    ("developer god debug dan jailbreak", r" mode (?:on|enabled|activated|is)\b"),
    ("jailbreak jailbroken jailbreaking", r"\b"),
    ("do", r" anything now\b"),
    ("end", r" of (?:the )?(?:system )?(?:prompt|instructions|system message|user input)\b"),
    ("new updated revised real actual hidden secret additional special",
     rf" (?:system )?instructions?(?: (?:for|to) ~{_MODEL})?\s?:"),
    ("instruction instructions note notes message important attention",
     rf" (?:for|to) (?:the |any |all )?{_MODEL}s?\b"),
    ("attention dear hey hello hi", rf",? (?:{_MODEL}|assistant)\b"),
    ("system", r" prompt\b(?! (?:appears|appeared|for dos|reminding|reminded))"),
    ("your my all previous hidden these internal", r" system prompts\b"),
    ("system", r" message\s?:"),
    ("reply respond answer",
     r" (?:only |exactly |solely |just )(?:with )?(?:the (?:word|phrase|text"
     r"|following|sentence)|yes|no|json|one word|[\"'])"),
    ("append add include insert put place", r" ~(?:link|text|phrase|sentence|words?|following|url"
     r"|address|string|line) ~(?:to|in|at|into) (?:the (?:end|start|beginning|top|bottom) of )?"
     rf"(?:your|every|each|all) {_SPEECH}\b"),
    ("omit remove skip drop hide suppress delete leave strip", r" (?:out |off )?~disclaimer"),
    ("mention show include display add output print repeat reveal append say write give send state",
     r" ~disclaimer()"),
    ("without no", r" (?:the |any |a )?(?:\w+ )?disclaimer"),
    ("if when whenever once", r" (?:the|a|any) user (?:asks?|says?|types?|writes?|mentions?"
     r"|questions?|wants|requests)\b"),
    ("your", r" (?:new|only|real|true|actual|secret) (?:task|job|role|goal|purpose|mission"
             r"|objective|instructions?|identity|name)\b"),
    ("your", r" (?:task|job|role|mission|objective) is (?:now )?(?:to|not)\b"),
    ("your", r" (?:system|hidden|secret|initial|internal|original) (?:prompt|instructions?|message"
             r"|rules)\b"),
    ("without no disable remove lift off", r" ~guardrails\b"),
    ("bypass disable violate without override", r" ~content (?:policy|policies|filters?)\b"),
    ("supersede supersedes override overrides replace replaces",
     r" ~(?:your|system|previous|prior|earlier) ~(?:instructions?|prompts?)\b"),
    # Spanish, Portuguese, Italian, French, German, Dutch, Russian.
    ("ignora ignore ignorar olvida olvide desconsidere esqueca", r" ~(?:instrucciones|instrucoes"
     r"|indicaciones) (?:anteriores|previas|de arriba|acima|del sistema)"),
    ("ignora ignore ignorar olvida olvide desconsidere esqueca",
     r" ~(?:anteriores|previas) (?:instrucciones|instrucoes)"),
    ("ignora ignorate dimentica",
     r" ~(?:istruzioni (?:precedenti|di sopra)|precedenti istruzioni)"),
    ("ignore ignorez oublie oubliez", r" ~(?:instructions|consignes) (?:precedentes|anterieures"
     r"|ci.dessus)"),
    ("ignore ignorez oublie oubliez", r" ~consignes "),
    ("ignoriere ignorieren vergiss vergessen missachte", r" ~(?:vorherig\w+|bisherig\w+|obig\w+"
     r"|fruher\w+|vorangegangen\w+) ~anweisung"),
    ("negeer", r" ~(?:vorige|eerdere|bovenstaande) instructies"),
    ("игнорируй игнорируйте забудь забудьте проигнорируй",
     r" ~(?:предыдущие|прежние|все) ~инструкции"),
)
_AS_ORDER: tuple[tuple[str, str], ...] = (
    # The same at the start of a sentence only, or behind "please" and "you must": there the verb
    # orders. "Lesions respond with oedema" does not.
    ("as", r" an ai\b(?!-| (?:based|driven|powered|assisted|tool|system|enabled|algorithm))"),
    ("reply respond answer", r"(?: (?:to |the )?(?:every |all |any |each |the |this )?(?:questions?"
     r"|messages?|users?|it|query|queries|prompts?))?(?: back)?(?: only| exactly| solely| simply)? "
     r"(?:with|in|as|by|using|yes|no)\b"),
    ("always only just never", r" (?:reply|respond|answer) "),
    ("do don dont never", r"(?:.t)?(?: not)? (?:mention|show|include|display|add|output|print|cite"
     r"|reveal|append) ~(?:citation|source|caution|warning|reference|instruction"
     r"|safety information)"),
    ("start begin end finish prefix close conclude", rf" (?:your|every|each|all) {_SPEECH} "
     r"(?:with|by|in)\b"),
    ("tell inform convince persuade ask advise", r" (?:the|every|each|all) users? "),
    ("execute run", r" (?:the following|this) (?:code|command|script|function|tool)\b"),
    ("call", r" (?:the )?(?:\w+ )?(?:tool|function|api)\b"),
)
_MARKERS: tuple[tuple[str, str], ...] = (
    # (what must occur, pattern): the marks between turns in what models are trained on, and text
    # without spaces between its words.
    ("<|", r"<\|[a-z\s/]+\|?>"),
    ("[", r"\[/?(?:inst|sys|system|assistant)\]"),
    ("<", r"<<?/?(?:sys|system|assistant|instructions?|prompt)>"),
    ("##", r"##+\s*(?:instructions?\s*:|instruction\s*(?![^\n])|system(?: prompt| message)?\s*:?\s*"
           r"(?![^\n])|(?:system|assistant|user|human|response|input|prompt)\s*:)"),
    *((f"{role}{colon}", rf"(?:(?<![^\n])|(?<=[.!?]\s)|(?<=[\"'(])){role}{colon}\s")
      for role in ("system", "assistant", "developer", "user") for colon in (":", " :")),
    ("human:", r"(?<![^\n])human:\s(?:ignore|please|you|tell|write|what|how|now|forget|print"
               r"|show|say|answer|can you)\b"),
    ("role", r"role(?<!\wrole)(?:[\"']\s*[:=]|\s?=\s?[\"'])\s*[\"']?"
             r"(?:system|assistant|user|developer)\b"),
    ("忽略", r"忽略\w*?(?:指令|指示|提示)"),
    ("无视", r"无视\w*?(?:指令|指示|提示)"),
    ("無視", r"(?:指示|命令)を(?:すべて)?無視"),
)
# fmt: on
_NEGATED = "(?:do not|don.?t|never|must not|should not|stop|not|without) $"
_ORDERED = (
    r"(?:[.!?:;]\s+|\s-\s|\s[\"'(\[]"
    r"|\b(?:please|now|then|you must|you should|you will|you shall|you have to|you are to) )$"
)
_DOING = r"(?:\s(?:often|may|might|can|could|would|will|tend\sto|sometimes|commonly|to|do|did))*"
_OF_PEOPLE = (
    r"(?:\b(?:patients?|parents?|participants?|subjects|people|caregivers?|famil(?:y|ies)|nurses?"
    r"|clinicians?|physicians?|surgeons?|adolescents|children|volunteers?|users|who|they)"
    r"(?:\s(?:are|were|was|is|had\sbeen|have\sbeen))?"
    rf"(?:\s(?:instructed|told|asked|advised|taught|trained|free))?{_DOING}|\bnot|\bnever|\bdon.t)\s$"
)
"""What stands before "ignore previous instructions" when people do it, or are told not to."""

# The same said letter by letter.
_SPELT_RUN = re.compile(r"(?<![^\W_])[^\W_](?:[\W_]{1,3}[^\W_](?![^\W_])){7,}")
_SPELT = re.compile(
    "(?:ignore|disregard|forget)(?:aii|any|the|your|my|these)*(?:previous|prior|above|eariier)?"
    "(?:instruction|prompt|ruie|command)|systemprompt|youarenow|donotmention|jaiibreak|repiyoniy"
)
_SPELT_LETTERS = frozenset("rd")
"""Each of them has one of these letters, which seldom stand alone."""


def _by_word() -> dict[str, list[tuple[str, bool]]]:
    """What may follow each word that begins an order, and whether it must be one."""
    found: dict[str, list[tuple[str, bool]]] = {}
    for table, ordered in ((_ANYWHERE, False), (_AS_ORDER, True)):
        for some, rest in table:
            for word in some.split():
                found.setdefault(plainer(word), []).append((rest, ordered))
    return found


_FOLLOWS = _by_word()


@lru_cache(maxsize=500)
def _beginning(word: str) -> re.Pattern[str]:
    """The word where something stands behind it that may follow."""
    # The letters come first, and what stands before them is looked at then: they are quick to find.
    rests = "|".join(f"(?:{_source(rest)})" for rest, _ in _FOLLOWS[word])
    return re.compile(rf"{word}(?<![^\W_]{word})(?![^\W_])(?={rests})", re.MULTILINE)


_MARKS = tuple((plainer(mark), source) for mark, source in _MARKERS)


def instructions(pieces: Sequence[Piece]) -> Iterator[Problem]:
    """Text that reads as if written to a model: the article is kept out until somebody looked.

    Hidden characters, look-alike letters and spelling letter by letter do not help it.
    """
    plain = [plainer(p.text) for p in pieces]
    told = list(_told("\n".join(plain)))
    if not told:
        return
    starts = list(accumulate((len(text) + 1 for text in plain), initial=0))
    found: dict[int, str] = {}
    for start, said in told:
        found.setdefault(bisect_right(starts, start) - 1, said)
    for i, said in sorted(found.items()):
        yield Problem(
            "error",
            "instructions",
            f"reads like an instruction to a model ({cut(as_written(pieces[i].text, said))}); "
            "delete it, or say it in other words",
            pieces[i].line,
            pieces[i].field,
        )


def _told(whole: str) -> Iterator[tuple[int, str]]:
    """(where, what) of each order in plainer text."""
    known = set(ascii_words(whole))
    for word in (w for w in _FOLLOWS if w in known or (not w.isascii() and w in whole)):
        for begun in _beginning(word).finditer(whole):
            at, end = begun.span()
            for rest, ordered in _FOLLOWS[word]:
                told = _pattern(rest).match(whole, end)
                if told and _is_order(whole, at, rest, ordered):
                    yield at, whole[at : told.end()]
    for mark, source in _MARKS:
        if mark in whole:
            yield from ((m.start(), m.group()) for m in _pattern(source).finditer(whole))
    if not _SPELT_LETTERS.isdisjoint(known):
        for run in _SPELT_RUN.finditer(whole):
            if _SPELT.search(re.sub(r"[\W_]", "", run.group())):
                yield run.start(), run.group()


def _is_order(whole: str, at: int, rest: str, ordered: bool) -> bool:
    before = whole[max(0, at - 80) : at]
    if ordered:
        return not before or before.endswith("\n") or bool(_pattern(_ORDERED).search(before))
    if rest.endswith("disclaimer()"):
        return bool(_pattern(_NEGATED).search(before))
    if whole.startswith(_IGNORING, at):
        return not _pattern(_OF_PEOPLE).search(before)
    return True


_IGNORING = tuple(plainer(word) for word in _TO_IGNORE.split())
