// 128-bit integers, the width in which sums are kept. `__int128` is an extension, named once here.
#pragma once

namespace weir {

__extension__ using Int128 = __int128;
__extension__ using UInt128 = unsigned __int128;

}  // namespace weir
