// roomful/react with React 19 and the real Worker.
import "../react/real.ts";
