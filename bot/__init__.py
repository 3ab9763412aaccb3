"""Passerelle: the engine that carries questions between prefectures and posts abroad, and its subjects."""
