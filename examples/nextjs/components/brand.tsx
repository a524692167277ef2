import styles from "./brand.module.css";

export function Brand() {
  return (
    <span className={styles.brand}>
      <svg viewBox="0 0 16 16" aria-hidden="true">
        <rect width="16" height="16" rx="4" fill="#3f4bd1" />
        <circle cx="6" cy="7" r="3" fill="#fff" />
        <circle cx="11" cy="9.5" r="2.5" fill="#ffb86b" />
      </svg>
      Rooms
    </span>
  );
}
