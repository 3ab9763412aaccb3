"""Routing: from a question to the post, the prefecture or the advice that answers it.

A pure function of question, rules, directory and day. `marks` comes first and needs nothing else; `reading` finds what
the text names, `topics` what it is about, `guards` the rules that come before any score, `competence` who is in
charge, `decide` puts them together. A better way to score topics or to read names replaces one module.
"""
