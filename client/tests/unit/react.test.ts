// roomful/react with React 19.
import "../react/scripted.ts";
