"""Training of the bundled demonstration model: from sentences to a CTranslate2 folder."""
