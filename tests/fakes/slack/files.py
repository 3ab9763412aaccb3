"""Files: upload in three steps ("Working with files: uploading"), private download."""

import time
from dataclasses import dataclass, field

from .wire import ApiError, Payload
from .workspace import Workspace

TYPES = {
    "pdf": "application/pdf",
    "png": "image/png",
    "jpg": "image/jpeg",
    "txt": "text/plain",
    "csv": "text/csv",
    "ics": "text/calendar",
}


@dataclass(slots=True)
class StoredFile:
    """A file; ``length`` is what the uploader announced."""

    id: str
    name: str
    length: int
    user: str
    title: str = ""
    content: bytes | None = None
    complete: bool = False
    channels: list[str] = field(default_factory=list[str])
    created: int = field(default_factory=lambda: int(time.time()))


class Files:
    """All files of the workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._files: dict[str, StoredFile] = {}
        self._upload_keys: dict[str, str] = {}
        self.base = ""
        """Where the server answers: ``http://127.0.0.1:port``."""

    def announce(self, name: str, length: int, user: str) -> tuple[StoredFile, str]:
        """A new file and the address to upload it to."""
        stored = StoredFile(self._workspace.ids.new("F"), name, length, user)
        self._files[stored.id] = stored
        key = self._workspace.ids.new("upload-")
        self._upload_keys[key] = stored.id
        return stored, f"{self.base}/upload/v1/{key}"

    def receive(self, key: str, content: bytes) -> StoredFile:
        """Bytes arrive at an upload address; their number must be the announced one."""
        stored = self._files.get(self._upload_keys.pop(key, ""))
        if stored is None:
            raise ApiError("file_not_found", status=404)
        if len(content) != stored.length:
            raise ApiError("file_upload_size_restricted", status=400)
        stored.content = content
        return stored

    def complete(self, file: str, title: str) -> StoredFile:
        """The uploader declares a file finished."""
        stored = self.get(file)
        if stored.content is None or stored.complete:
            raise ApiError("file_not_found")
        stored.complete, stored.title = True, title or stored.name
        return stored

    def get(self, file: str) -> StoredFile:
        """A file, or ``file_not_found``."""
        stored = self._files.get(file)
        if stored is None:
            raise ApiError("file_not_found")
        return stored

    def remove(self, file: str) -> StoredFile:
        """The file is gone for everybody."""
        stored = self.get(file)
        del self._files[file]
        return stored

    def to_slack(self, stored: StoredFile) -> Payload:
        """The file object."""
        kind = stored.name.rsplit(".", 1)[-1].lower() if "." in stored.name else "text"
        private = f"{self.base}/files-pri/{self._workspace.team}-{stored.id}"
        return {
            "id": stored.id,
            "created": stored.created,
            "timestamp": stored.created,
            "name": stored.name,
            "title": stored.title or stored.name,
            "mimetype": TYPES.get(kind, "application/octet-stream"),
            "filetype": kind,
            "pretty_type": kind.upper(),
            "user": stored.user,
            "user_team": self._workspace.team,
            "editable": False,
            "size": stored.length,
            "mode": "hosted",
            "is_external": False,
            "external_type": "",
            "is_public": False,
            "public_url_shared": False,
            "url_private": f"{private}/{stored.name}",
            "url_private_download": f"{private}/download/{stored.name}",
            "permalink": f"{self.base}/files/{stored.user}/{stored.id}/{stored.name}",
            "channels": stored.channels,
            "groups": [],
            "ims": [],
            "file_access": "visible",
        }
