// roomful/react with React 18 and the real Worker.
import "../react/react-18.ts";

process.env["REACT"] = "18";
// Not before it is known which React it gets.
await import("../react/real.ts");
