"""Predictions: one module per lesson, each answer computed by the course's own functions."""
