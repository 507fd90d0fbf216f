"""Advice as data: rules, phrases, measures and the engine that gives each alert its life."""
