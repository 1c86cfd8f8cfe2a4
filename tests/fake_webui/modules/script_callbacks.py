app_started = []


def on_app_started(callback):
    app_started.append(callback)
