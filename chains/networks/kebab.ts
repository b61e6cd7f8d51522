/**
 * A network's id as paths have it: `EthereumSepolia` is `ethereum-sepolia`, `AvalancheCFuji` is
 * `avalanche-c-fuji`, `SeiPacific1` is `sei-pacific-1`.
 */
export function kebabOf(id: string): string {
  return id
    .replace(/(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[A-Za-z])(?=[0-9])/g, '-')
    .toLowerCase()
}
