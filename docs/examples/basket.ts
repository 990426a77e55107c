// Something to complete: one line is left unfinished, as a person would leave it.
interface Item {
  name: string;
  price: number;
}

export class Basket {
  readonly items: Item[];

  constructor(items: Item[]) {
    this.items = items;
  }

  total(): number {
    let sum = 0;
    for (const item of this.items) {
      sum += item.price;
    }
    return 
  }
}
