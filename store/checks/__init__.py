"""What is wrong with an article, beyond what its format forbids.

Pure functions from what was read to problems. `run` is the door. Behind it one module a subject:
the wording of any text (`characters`, `links`), text that gives orders to a model
(`instructions`, over `plainer`), the references (`sources`), the statements, the names, the dates,
the doses, and parts that disagree (`conflicts`, over `sides`). All import `problem`, and none
imports one that is named before it. All take time in proportion to the text, whatever it says.
"""
