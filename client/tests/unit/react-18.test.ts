// roomful/react with React 18.
import "../react/react-18.ts";

process.env["REACT"] = "18";
// Not before it is known which React it gets.
await import("../react/scripted.ts");
