"""One API connection: bytes in, commands out to the device; replies of many tags, interleaved."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, cast

from .call import Answer, Call, HangUp, Listening, Outcome, Silence, Stream, Trap, parse_call
from .execution import Job, JobState, Output
from .login import Login, LoginState
from .wire import FramingError, SentenceReader, sentence

if TYPE_CHECKING:
    from .device import Device

CHUNK_BYTES = 64 * 1024  # one write of a single big reply
TURN_BYTES = 400  # what one tag may say before the next one has its turn
ROUND_BYTES = 256 * 1024  # then other connections have their turn
MOST_OUTPUTS = 4096  # a client that lets this much pile up is cut off


class Connection(asyncio.Protocol):
    """Speaks with one client. The asyncio transport sets TCP_NODELAY by itself."""

    def __init__(self, device: Device, number: int) -> None:
        self._device = device
        self.number = number
        self.login = Login(device.spec, device.random.randbytes(16))
        self.peer = ""
        self.since_s = 0.0
        self.muted = False
        self.jobs: dict[Job, None] = {}
        self._reader = SentenceReader()
        self._outputs: deque[Output] = deque()
        self._untagged: deque[Job] = deque()
        self._transport: asyncio.Transport | None = None
        self._paused = False
        self._pump_due = False

    def __repr__(self) -> str:
        state = "muted" if self.muted else "open" if self._transport else "closed"
        return f"<Connection {self.number} {state} {self.login!r} {len(self.jobs)} jobs>"

    # -- the transport's side ----------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client came; it may be one too many."""
        self._transport = cast("asyncio.Transport", transport)
        self.peer = (transport.get_extra_info("peername") or ("",))[0]
        self._device.connection_made(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing of this connection stays behind."""
        self._transport = None
        for job in tuple(self.jobs):
            self._over(job)
        self._outputs.clear()
        self._untagged.clear()
        self._device.connection_lost(self)

    def data_received(self, data: bytes) -> None:
        """Commands of the client, as many as are whole."""
        try:
            sentences = self._reader.feed(data)
        except FramingError:
            self.close()
            return
        for words in sentences:
            if self._transport is not None and not self._transport.is_closing():
                self._receive(words)

    def pause_writing(self) -> None:
        """The client reads too slowly."""
        self._paused = True

    def resume_writing(self) -> None:
        """The client has caught up."""
        self._paused = False
        self._pump_soon()

    def close(self) -> None:
        """Close after what is already written."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Drop the connection now."""
        if self._transport is not None:
            self._transport.abort()

    # -- commands ------------------------------------------------------------------------------------------

    def _receive(self, words: list[str]) -> None:
        call = parse_call(words)
        account = self.login.account
        if account is not None:
            call.user, call.policies = account.username, frozenset(account.policies)
        self._device.note(self, call)
        if call.path == "/login":
            self._send(call, self._device.log_in(self, call))
        elif self.login.state is not LoginState.INSIDE:
            self._send(call, self._fatal("not logged in"))
        elif call.path == "/cancel":
            self._send(call, self._cancel(call))
        elif call.path == "/quit":
            self._send(call, self._fatal("session terminated on request"))
        else:
            self._begin(call)

    def _fatal(self, reason: str) -> Iterator[bytes]:
        yield sentence("!fatal", reason)
        raise HangUp

    def _send(self, call: Call, sentences: Iterable[bytes]) -> None:
        """Answer at once, without the router's latency: logins, /cancel, /quit."""
        said = self._device.faults.reply(call, iter(sentences))
        self._device.later(lambda: self.put(Output(None, said, last=False)))

    def _begin(self, call: Call) -> None:
        job = Job(call, self._perform)
        self.jobs[job] = None
        if call.tag is None:
            self._untagged.append(job)
            if len(self._untagged) > 1:
                return
        self._device.submit(job)

    def _perform(self, job: Job) -> None:
        """The router has worked on the command: say what came out."""
        job.timer = None
        call = job.call
        try:
            outcome = self._device.execute(call)
        except Trap as trap:
            outcome = Answer((call.trap(trap),))
        job.become(JobState.REPLYING)
        if isinstance(outcome, Answer) and outcome.delay_s > 0:
            job.timer = self._device.loop.call_later(outcome.delay_s, self._reply, job, outcome)
        else:
            self._device.later(lambda: self._reply(job, outcome))

    def _reply(self, job: Job, outcome: Outcome) -> None:
        if job.state is not JobState.REPLYING:
            return
        job.timer = None
        match outcome:
            case Answer():
                said = self._device.faults.reply(job.call, self._device.sentences(job.call, outcome))
                self.put(Output(job, said, last=True))
            case Stream():
                self._device.executor.release(job)
                self._frame(job, outcome, 0)
            case Listening():
                self._device.executor.release(job)
                self._listen(job, outcome)

    def _frame(self, job: Job, stream: Stream, number: int) -> None:
        rows = stream.frame(number)
        if rows is None:
            self.put(Output(job, iter((job.call.closing("!done"),)), last=True))
            return
        if not any(output.job is job for output in self._outputs):
            self.put(Output(job, self._device.faults.reply(job.call, iter(rows)), last=False))
        job.timer = self._device.loop.call_later(stream.interval_s, self._frame, job, stream, number + 1)

    def _listen(self, job: Job, listening: Listening) -> None:
        self.put(Output(job, iter(listening.first), last=False))
        unsubscribe = listening.subscribe(lambda row: self.put(Output(job, iter((row,)), last=False)))
        self._device.listener_added()

        def stop() -> None:
            unsubscribe()
            self._device.listener_removed()

        job.stop = stop

    def _cancel(self, call: Call) -> list[bytes]:
        wanted = call.args.get("tag")
        interrupted = Trap("interrupted", 2)
        said: list[bytes] = []
        for job in tuple(self.jobs):
            if wanted is None or job.call.tag == wanted:
                self._outputs = deque(output for output in self._outputs if output.job is not job)
                self._over(job)
                said += (job.call.trap(interrupted), job.call.closing("!done"))
        return [*said, call.closing("!done")]

    def _over(self, job: Job) -> None:
        """The command has ended, however it ended."""
        self.jobs.pop(job, None)
        job.become(JobState.OVER)
        self._device.executor.release(job)
        if job.call.tag is None and job in self._untagged:
            was_first = self._untagged[0] is job
            self._untagged.remove(job)
            if was_first and self._untagged and self._transport is not None:
                self._device.submit(self._untagged[0])

    # -- writing -------------------------------------------------------------------------------------------

    def put(self, output: Output) -> None:
        """Queue sentences; tags take turns."""
        if self._transport is None:
            return
        if len(self._outputs) >= MOST_OUTPUTS:
            self.abort()
            return
        self._outputs.append(output)
        self._pump_soon()

    def _pump_soon(self) -> None:
        if not self._pump_due:
            self._pump_due = True
            self._device.loop.call_soon(self._pump)

    def _pump(self) -> None:
        self._pump_due = False
        outputs, written = self._outputs, 0
        while outputs and not self._paused and self._transport is not None:
            if written >= ROUND_BYTES:
                self._pump_soon()
                return
            written += self._round()
            outputs = self._outputs

    def _round(self) -> int:
        """Gather one chunk, a turn for each tag after the other, and write it."""
        parts: list[bytes] = []
        size, end = 0, None
        while self._outputs and size < CHUNK_BYTES:
            output = self._outputs.popleft()
            before = len(parts)
            more = False
            try:
                more = output.take(TURN_BYTES if self._outputs else CHUNK_BYTES, parts)
            except (HangUp, Silence) as ending:
                end = ending
                break
            finally:
                size += sum(map(len, parts[before:]))
            if more:
                self._outputs.append(output)
            elif output.last and output.job is not None:
                self._over(output.job)
        self._write(b"".join(parts))
        self._end(end)
        return size

    def _write(self, data: bytes) -> None:
        if data and self._transport is not None and not self.muted:
            self._transport.write(data)

    def _end(self, ending: Exception | None) -> None:
        if ending is None:
            return
        self._outputs.clear()
        if isinstance(ending, HangUp):
            self.close()
        else:
            self.muted = True
