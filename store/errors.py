"""Everything that can go wrong, worded for the person who can act.

CorollaryError            what happened, and what to do about it
|- SettingsProblem        a setting is missing, malformed or contradicts another
|- ModelUnavailable       the embedding model is not installed, incomplete or damaged
|- ArticlesProblem        the article folder cannot be read, or nothing in it can be served
|- UnknownArticle         no article has that slug
|- UnknownTurn            no answer has that number
|- ReviewRefused          an editorial decision cannot be written into its article
|- StoreProblem           the build cannot be written, opened or trusted
|  |- NothingKept         a damaged build does not have its articles any more
|  |- StoreBusy           another process is writing a build
|  `- EmbedderMismatch    the build was made with another embedding model
|- DatabaseProblem        conversations cannot be read or written
|- AnswersProblem         the answers to judge cannot be read, or lack something
|- QuestionRefused        the question is empty, too long or unreadable
`- ServiceUnreachable     Telegram or a model provider does not answer
"""


class CorollaryError(Exception):
    """`what` happened, in one sentence; `todo`, what to do about it.

    What a reader can meet has its data apart, so that it can be told in their language: `text` is
    the sentence with {names} in it, and `values` are what they stand for.
    """

    exit_code = 2

    def __init__(self, text: str, todo: str = "", **values: object) -> None:
        self.what = text.format(**values) if values else text
        super().__init__(f"{self.what} {todo}".strip())
        self.text = text
        self.todo = todo
        self.values = values


class SettingsProblem(CorollaryError):
    """A setting is missing, malformed or contradicts another."""


class ModelUnavailable(CorollaryError):
    """The embedding model is not installed, incomplete or damaged."""


class ArticlesProblem(CorollaryError):
    """The article folder cannot be read, or nothing in it can be served."""


class UnknownArticle(CorollaryError):
    """No article has that slug."""

    exit_code = 1


class UnknownTurn(CorollaryError):
    """No answer has that number."""

    exit_code = 1


class ReviewRefused(CorollaryError):
    """An editorial decision cannot be written into its article; the file is as it was."""

    exit_code = 1


class StoreProblem(CorollaryError):
    """The build cannot be written, opened or trusted."""


class NothingKept(StoreProblem):
    """A damaged build does not have its articles any more: it cannot be made anew from itself."""


class StoreBusy(StoreProblem):
    """Another process is writing a build; trying again later can help."""


class EmbedderMismatch(StoreProblem):
    """The build was made with another embedding model than the one configured."""


class DatabaseProblem(CorollaryError):
    """Conversations cannot be read or written."""


class AnswersProblem(CorollaryError):
    """The answers to judge cannot be read, or lack something."""


class QuestionRefused(CorollaryError):
    """The question is empty, too long or unreadable."""

    exit_code = 1


class ServiceUnreachable(CorollaryError):
    """Telegram or a model provider does not answer, or refuses the credentials."""
