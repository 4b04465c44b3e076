"""An HTTP/2 client that goes on reading after GOAWAY (RFC 9113, 6.8), as the `h2` package and with it httpx do not, and that
sends what they refuse to send."""

import socket
import time

import hpack
import hyperframe.frame as frames

from support.rest import tls_context

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


class Stream:
    """What came on one stream so far."""

    def __init__(self):
        self.fields: list[tuple[str, str]] = []
        self.body = b""
        self.ended = False
        self.reset: int | None = None  # the error code

    @property
    def status(self) -> int | None:
        return next((int(value) for name, value in self.fields if name == ":status"), None)

    @property
    def is_whole(self) -> bool:
        return self.ended and self.reset is None

    def __repr__(self):
        return f"<status {self.status}, {len(self.body)} bytes, ended {self.ended}, reset {self.reset}>"


class Http2Wire:
    """One connection. `window` is how many bytes of a body the node may send before `grant` allows more; a big one needs no
    grants. With `answers_pings=False` the client is as good as away."""

    def __init__(self, node, identity, window: int = 1 << 30, answers_pings: bool = True):
        context = tls_context(node.service_certificate, identity.combined_file)
        context.set_alpn_protocols(["h2"])
        plain = socket.create_connection(("127.0.0.1", node.port), timeout=10)
        self._wire = context.wrap_socket(plain, server_hostname="127.0.0.1")
        assert self._wire.selected_alpn_protocol() == "h2"
        self._encoder, self._decoder = hpack.Encoder(), hpack.Decoder()
        self._unread = b""
        self._answers_pings = answers_pings
        self.streams: dict[int, Stream] = {}
        self.goaways: list[int] = []  # the last stream ids, in order
        self.closed = False
        settings = frames.SettingsFrame(0, settings={frames.SettingsFrame.INITIAL_WINDOW_SIZE: window})
        more = frames.WindowUpdateFrame(0, window_increment=1 << 30)
        self._wire.sendall(PREFACE + settings.serialize() + more.serialize())

    def _send(self, *made):
        self._wire.sendall(b"".join(frame.serialize() for frame in made))

    def head(self, number: int, fields, ends: bool = True):
        """Opens stream `number`; `fields` are all of them, in order, pseudo fields too."""
        self.streams[number] = Stream()
        flags = ["END_HEADERS"] + (["END_STREAM"] if ends else [])
        self._send(frames.HeadersFrame(number, self._encoder.encode(list(fields)), flags=flags))

    def call(self, number: int, method: str, path: str, *more, ends: bool = True):
        self.head(number, [(":method", method), (":scheme", "https"), (":authority", "x"), (":path", path), *more], ends)

    def data(self, number: int, data: bytes, ends: bool = True):
        self._send(frames.DataFrame(number, data, flags=["END_STREAM"] if ends else []))

    def grant(self, number: int, count: int):
        self._send(frames.WindowUpdateFrame(number, window_increment=count))

    def read_until(self, done, seconds: float = 10):
        """Reads until `done(self)`, the end of the connection, or for so long; whether it was done."""
        limit = time.monotonic() + seconds
        while not done(self):
            left = limit - time.monotonic()
            if self.closed or left <= 0:
                return False
            self._wire.settimeout(left)
            try:
                piece = self._wire.recv(65_536)
            except TimeoutError:
                return False
            except OSError:
                piece = b""
            if not piece:
                self.closed = True
            self._unread += piece
            self._take()
        return True

    def _take(self):
        while len(self._unread) >= 9:
            frame, length = frames.Frame.parse_frame_header(memoryview(self._unread[:9]))
            if len(self._unread) < 9 + length:
                return
            frame.parse_body(memoryview(self._unread[9 : 9 + length]))
            self._unread = self._unread[9 + length :]
            self._handle(frame)

    def _handle(self, frame):
        stream = self.streams.get(frame.stream_id)
        if isinstance(frame, frames.HeadersFrame):
            assert "END_HEADERS" in frame.flags, "answers of the node fit into one frame"
            stream.fields += self._decoder.decode(frame.data)
        elif isinstance(frame, frames.DataFrame):
            stream.body += frame.data
        elif isinstance(frame, frames.RstStreamFrame):
            if stream:
                stream.reset = frame.error_code
        elif isinstance(frame, frames.GoAwayFrame):
            self.goaways.append(frame.last_stream_id)
        elif isinstance(frame, frames.SettingsFrame):
            if "ACK" not in frame.flags:
                self._send(frames.SettingsFrame(0, flags=["ACK"]))
        elif isinstance(frame, frames.PingFrame):
            if "ACK" not in frame.flags and self._answers_pings:
                self._send(frames.PingFrame(0, opaque_data=frame.opaque_data, flags=["ACK"]))
        if stream and "END_STREAM" in frame.flags:
            stream.ended = True

    def close(self):
        self._wire.close()
