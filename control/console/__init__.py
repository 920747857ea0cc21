"""The page for operators: who may enter, what they see and do there, and the record of it."""
