"""What the bot is measured beside: python-telegram-bot and a LangChain chain, as one would write
them in half an hour. It embeds, searches and stores nothing, and answers with a set text."""

import os

from langchain_core.language_models import FakeListChatModel
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from telegram import Update
from telegram.ext import ApplicationBuilder, ContextTypes, MessageHandler, filters

ANSWER = "A statement of the length that answers have. " * 30
PROMPT = ChatPromptTemplate.from_messages(
    [("system", "Answer the clinician's question."), ("human", "{question}")]
)
chain = PROMPT | FakeListChatModel(responses=[ANSWER]) | StrOutputParser()


async def answer(update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
    """Types, asks the chain, replies."""
    said = update.effective_message
    if said is not None and said.text is not None:
        await said.reply_chat_action("typing")
        told = await chain.ainvoke({"question": said.text})
        await context.bot.send_message(said.chat_id, told)


def main() -> None:
    """Runs until SIGTERM."""
    application = (
        ApplicationBuilder()
        .token(os.environ["COROLLARY_TELEGRAM_TOKEN"])
        .base_url(os.environ["COROLLARY_TELEGRAM_BASE_URL"])
        .connection_pool_size(16)
        .pool_timeout(30)
        .concurrent_updates(True)
        .build()
    )
    application.add_handler(MessageHandler(filters.TEXT, answer))
    application.run_polling()


if __name__ == "__main__":
    main()
