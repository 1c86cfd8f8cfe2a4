"""The few components that the panel takes, with the attributes that the WebUI reads."""

from contextlib import contextmanager


class Component:
    def __init__(self, value=None, label=None, elem_id=None, **others):
        self.value, self.label, self.elem_id, self.others = value, label, elem_id, others


class Textbox(Component):
    pass


class Number(Component):
    pass


class Slider(Component):
    def __init__(self, minimum, maximum, value=None, **others):
        super().__init__(value, **others)
        self.minimum, self.maximum = minimum, maximum


@contextmanager
def Row(*_, **__):
    yield


Accordion = Row
