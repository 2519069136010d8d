"""What is wrong with an article, beyond what its format forbids.

Pure functions from what was read to problems, all in time in proportion to the text, whatever it
says. `run` and `instructions` are the doors. Behind them one module a subject: the wording of any
text (`wording`, over `characters` and `links`), the references (`sources`), the statements, names,
dates and doses, and parts that disagree (`conflicts`, over `sides`). What every module shares is
in `problem`; what a text reads as to a model is in `plainer`.
"""
