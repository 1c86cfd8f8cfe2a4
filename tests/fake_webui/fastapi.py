"""What the routes take of FastAPI, and `App.get` in the place of a server."""

import inspect


class HTTPException(Exception):
    def __init__(self, status_code, detail=None, headers=None):
        super().__init__(detail)
        self.status_code, self.detail, self.headers = status_code, detail, headers


class Request:
    def __init__(self, headers):
        self.headers = headers


class Depends:
    def __init__(self, dependency):
        self.dependency = dependency


class FastAPI:
    def __init__(self):
        self.routes = {}

    def add_api_route(self, path, endpoint, *, methods, dependencies=()):
        assert methods == ["GET"]
        self.routes[path] = endpoint, dependencies

    def get(self, path, headers=None, **query):
        endpoint, dependencies = self.routes[path]
        for one in dependencies:
            assert "request" in inspect.signature(one.dependency).parameters
            one.dependency(Request(headers or {}))
        return endpoint(**query)
