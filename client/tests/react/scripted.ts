// The hooks against sockets and a clock that do what a test says. The first file begins where there is no document.
import "./scripted/rooms.ts";
import "./scripted/hooks.ts";
import "./scripted/messages.ts";
import "./scripted/loss.ts";
