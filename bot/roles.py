"""What describes a person best: asked once, changed by /role, and never more than wording.

The role goes with every question to the assistant. It bears on how a reply is worded and on what
stands out in it; which statements and sources are shown does not depend on it.
"""

from bot.app import Program
from bot.render import Button, Message, Paragraph, Style
from bot.words import inside, marked, tr
from store.people import role_of, set_role
from store.turn import Role

NAMES: dict[Role, str] = {
    Role.PHYSICIAN: marked("Physician"),
    Role.NURSE: marked("Nurse"),
    Role.PHARMACIST: marked("Pharmacist"),
    Role.TRAINEE: marked("Trainee"),
    Role.RESEARCHER: marked("Researcher"),
    Role.OTHER: marked("Other"),
}
ASKED = marked("Which best describes you?")
ONLY_WORDING = marked(
    "It changes how replies are worded, never which statements and sources are shown."
)
FOR_PROFESSIONALS = marked(
    "This assistant is written for health professionals. What it shows is no advice to you as a "
    "patient: for your own health, please ask a doctor or a pharmacist."
)
EFFECTS: dict[Role, str] = {
    Role.TRAINEE: marked("Abbreviations are written out where the articles explain them."),
    Role.RESEARCHER: marked("Each statement names the kind of study it is from."),
    Role.OTHER: FOR_PROFESSIONALS,
}
_PREFIX = "role:"


def question() -> list[Paragraph]:
    """The question, and how to answer it without buttons."""
    listed = ", ".join(inside(tr(name)) for name in NAMES.values())
    return [
        Paragraph(tr(ASKED), Style.HEADING),
        Paragraph(tr(ONLY_WORDING)),
        Paragraph(tr("Press a button, or type /role and one of: {listed}.", listed=listed)),
    ]


def buttons() -> tuple[Button, ...]:
    """One button for each role, in pairs."""
    return tuple(
        Button(tr(name), f"{_PREFIX}{role.value}", beside=bool(i % 2))
        for i, (role, name) in enumerate(NAMES.items())
    )


async def known(program: Program, user_id: str) -> Role | None:
    """What the person has said; None when they were not asked or did not answer."""
    return await role_of(program.database, user_id)


async def command(program: Program, user_id: str, args: str) -> Message:
    """`/role` asks, `/role nurse` answers; so does the name in the language that is spoken."""
    wanted = args.strip().lower()
    named = {tr(name).lower(): role for role, name in NAMES.items()} | {r.value: r for r in Role}
    if wanted in named:
        return await chosen(program, user_id, named[wanted])
    now = await known(program, user_id)
    lines = [Paragraph(tr("There is no role “{name}”.", name=wanted[:32]))] if wanted else []
    if now is not None:
        lines.append(Paragraph(tr("You are known as: {role}.", role=inside(tr(NAMES[now])))))
    return Message((*lines, *question()), buttons())


async def chosen(program: Program, user_id: str, role: Role) -> Message:
    """Remembers the role and says what follows from it."""
    await set_role(program.database, user_id, role)
    effect = EFFECTS.get(role)
    return Message(
        (
            Paragraph(tr("Noted: {role}. /role changes it.", role=inside(tr(NAMES[role])))),
            *([Paragraph(tr(effect))] if effect else []),
            Paragraph(tr("Ask a question, or pick an article with /articles.")),
        )
    )


async def pressed(program: Program, user_id: str, data: str) -> Message | None:
    """The reply to a button of this question; None when it is none. `data` is untrusted."""
    name = data.removeprefix(_PREFIX)
    if data.startswith(_PREFIX) and name in set(Role):
        return await chosen(program, user_id, Role(name))
    return None
