// What is used of React, in one place: bundlers do not make one import out of several.
export {
  createContext,
  createElement,
  useContext,
  useEffect,
  useMemo,
  useRef,
  useSyncExternalStore,
} from "react";
