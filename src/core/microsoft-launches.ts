/** ID_KEY_DIGESTs of UVMs, in which Azure runs container groups, 2023 to 2026. */
const OF_CONTAINER_GROUPS: ReadonlySet<string> = new Set([
  'd3ed82823f890b10087105c472e2957541ede92fda7bbb6bbf8660c411c78fec8128955bc6e0efbb24c0c4a781bfee59',
  '0ad79ceb0b648b0e6a90d8aa9f6ea24c33a968b6632085353145e8b19a4741a2dab9ba342e13be4fc0d225e889cc1a58',
  'b5874f6d74ec184263d6d11af9c29d5824413c4adb303fbc210e5200b2c159be39c59907714b76c7b385ab225b7ad80f',
  '4068e9ae4b315aa4b33938ce0ed01a3d5d8e80eb98eab479a0558cd7de9d4d40d6d80d328d90732688a42b13a0cd6405',
]);

/** ID_KEY_DIGESTs of Microsoft's launches: paravisors of confidential VMs, and UVMs of container groups. Any tenant has such a VM. */
export const MICROSOFT_ID_KEYS: ReadonlySet<string> = new Set([
  ...OF_CONTAINER_GROUPS,
  // Paravisors, 2022 to 2026.
  '57486a447ec0f1958002a22a06b7673b9fd27d11e1c6527498056054c5fa92d23c50f9de44072760fe2b6fb89740b696',
  '934f68bd8ba01938eec21475c872e3a942b60c59fafc6df9e9a76ee66bc47f2d09c676f61c0315c578da26085fb13a71',
  '0356215882a825279a85b300b0b742931d113bf7e32dde2e50ffde7ec743ca491ecdd7f336dc28a6e0b2bb57af7a44a3',
  '942fd93ebde6ea7a96efadeafc60f1c6b3d10e703b1dafd7555b92f7f3d32d0e006767648cba5b102af3d65756af4177',
]);

/** HOST_DATA (SHA-256) of published policies of container groups that allow every container. Samples pin them. */
export const OPEN_HOST_DATA: ReadonlySet<string> = new Set([
  'cadd74f71ebb8fbf9782baab649612520f3c416bc5ce9ac768808ddc8d9b031c',
  '4f4448c67f3c8dfc8de8a5e37125d807dadcc41f06cf23f615dbd52eec777d10',
  'b3452a0ed30f1010bd32740dd1610bc63296ceb0f882f2cac3a3152d651fe7e4',
  '73973b78d70cc68353426de188db5dfc57e5b766e399935fb73a61127ea26d20',
  '7ec5120f0f497e22b18e59ed702ed82e2732562245c9a944f54cd41db4f491af',
  '59f6818ede2b7124ea2c912a88fa99d9a052e472bcfd3bcc4be69d3866e9d3c3',
]);

/**
 * Returns why an ID_KEY_DIGEST identifies no paravisor, as the end of a sentence; null if it may. In both cases the owner of the guest
 * chooses the content of its report, and so which claims a paravisor made.
 */
export function whyNoParavisorKey(digest: string): string | null {
  if (/^0*$/.test(digest)) return 'is all zero: no key signed the launch, so any guest can have it';
  return OF_CONTAINER_GROUPS.has(digest) ? 'is of Azure container groups, which any tenant can start' : null;
}
