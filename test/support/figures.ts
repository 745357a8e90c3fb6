/** Writes what a flow measured beside its test's name: `  what: name 12, other name 3`. Numbers are rounded. */
export function sayFigures(what: string, figures: Readonly<Record<string, number | string>>): void {
  const told = Object.entries(figures).map(([name, value]) => {
    return `${name} ${typeof value === 'number' ? Math.round(value) : value}`;
  });
  process.stdout.write(`  ${what}: ${told.join(', ')}\n`);
}
